CREATE TABLE `answer` (
	`id` text PRIMARY KEY NOT NULL,
	`content` text NOT NULL,
	`sealed` text NOT NULL,
	`until` integer NOT NULL
);
--> statement-breakpoint
CREATE INDEX `answer_until` ON `answer` (`until`);--> statement-breakpoint
CREATE TABLE `file_default` (
	`key` text PRIMARY KEY NOT NULL,
	`acl` text,
	`keep_for` integer
);
--> statement-breakpoint
CREATE INDEX `job_files_made` ON `job` (`files`) WHERE instr(output, 'forecourt-file:') > 0;
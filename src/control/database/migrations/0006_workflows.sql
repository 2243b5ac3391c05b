CREATE TABLE `workflow_node` (
	`run` text NOT NULL,
	`node` text NOT NULL,
	`job` text NOT NULL,
	PRIMARY KEY(`run`, `node`),
	FOREIGN KEY (`run`) REFERENCES `workflow_run`(`job`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE TABLE `workflow_run` (
	`job` text PRIMARY KEY NOT NULL,
	`definition` text NOT NULL,
	`options` text NOT NULL,
	FOREIGN KEY (`job`) REFERENCES `job`(`id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE TABLE `workflow` (
	`user` text NOT NULL,
	`name` text NOT NULL,
	`title` text NOT NULL,
	`is_public` integer NOT NULL,
	`contents` text NOT NULL,
	`created_at` integer NOT NULL,
	PRIMARY KEY(`user`, `name`)
);
--> statement-breakpoint
CREATE INDEX `workflow_by_age` ON `workflow` (`created_at`);
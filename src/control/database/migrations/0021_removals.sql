CREATE TABLE `bucket_object` (
	`name` text PRIMARY KEY NOT NULL,
	`parts` text
);
--> statement-breakpoint
CREATE INDEX `bucket_object_parts` ON `bucket_object` (`name`) WHERE parts is not null;--> statement-breakpoint
CREATE TABLE `bucket_stock` (
	`place` text PRIMARY KEY NOT NULL,
	`taken_at` integer NOT NULL
);
--> statement-breakpoint
CREATE TABLE `file_removal` (
	`name` text PRIMARY KEY NOT NULL,
	`attempts` integer DEFAULT 0 NOT NULL,
	`due_at` integer NOT NULL
);
--> statement-breakpoint
CREATE INDEX `file_removal_due` ON `file_removal` (`due_at`);
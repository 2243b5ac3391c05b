CREATE TABLE `batch_job` (
	`batch` text NOT NULL,
	`line` integer NOT NULL,
	`nth` integer NOT NULL,
	`job` text NOT NULL,
	PRIMARY KEY(`batch`, `line`, `nth`),
	FOREIGN KEY (`batch`) REFERENCES `batch`(`id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE TABLE `batch_line` (
	`batch` text NOT NULL,
	`line` integer NOT NULL,
	`custom_id` text NOT NULL,
	`start` integer NOT NULL,
	`end` integer NOT NULL,
	`is_done` integer,
	`result` text,
	`bytes` integer NOT NULL,
	PRIMARY KEY(`batch`, `line`),
	FOREIGN KEY (`batch`) REFERENCES `batch`(`id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE INDEX `batch_line_open` ON `batch_line` (`batch`,`line`) WHERE is_done is null;--> statement-breakpoint
CREATE TABLE `batch` (
	`id` text PRIMARY KEY NOT NULL,
	`key` text NOT NULL,
	`endpoint` text NOT NULL,
	`input` text NOT NULL,
	`metadata` text NOT NULL,
	`origin` text NOT NULL,
	`status` text NOT NULL,
	`keep_for` integer,
	`created_at` integer NOT NULL,
	`expires_at` integer NOT NULL,
	`begun_at` integer,
	`finalizing_at` integer,
	`cancelling_at` integer,
	`ended_at` integer,
	`problems` text,
	`output` text,
	`errors` text,
	`model` text,
	`total` integer DEFAULT 0 NOT NULL,
	`done` integer DEFAULT 0 NOT NULL,
	`failed` integer DEFAULT 0 NOT NULL,
	`bytes` integer NOT NULL
);
--> statement-breakpoint
CREATE INDEX `batch_by_key` ON `batch` (`key`,`id`);--> statement-breakpoint
CREATE INDEX `batch_open` ON `batch` (`id`) WHERE ended_at is null;--> statement-breakpoint
CREATE INDEX `batch_ended` ON `batch` (`ended_at`) WHERE ended_at is not null;--> statement-breakpoint
ALTER TABLE `upload` ADD `purpose` text;
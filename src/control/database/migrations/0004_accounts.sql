CREATE TABLE `account` (
	`kind` text NOT NULL,
	`id` text NOT NULL,
	`limits` text NOT NULL,
	`changed_at` integer NOT NULL,
	PRIMARY KEY(`kind`, `id`)
);
--> statement-breakpoint
CREATE TABLE `price_override` (
	`holder` text NOT NULL,
	`model` text NOT NULL,
	`price` text NOT NULL,
	`changed_at` integer NOT NULL,
	PRIMARY KEY(`holder`, `model`)
);
--> statement-breakpoint
CREATE TABLE `reservation` (
	`job` text PRIMARY KEY NOT NULL,
	`key` text NOT NULL,
	`team` text,
	`model` text NOT NULL,
	`at` integer NOT NULL,
	`amounts` text NOT NULL
);
--> statement-breakpoint
CREATE TABLE `usage_mark` (
	`id` integer PRIMARY KEY NOT NULL,
	`seq` integer NOT NULL
);
--> statement-breakpoint
CREATE TABLE `usage` (
	`seq` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`job` text NOT NULL,
	`key` text NOT NULL,
	`team` text,
	`model` text NOT NULL,
	`endpoint` text NOT NULL,
	`tags` text,
	`outcome` text NOT NULL,
	`failure` text,
	`device` text,
	`units` text NOT NULL,
	`cost` integer NOT NULL,
	`currency` text NOT NULL,
	`admitted_at` integer NOT NULL,
	`ended_at` integer NOT NULL,
	`queue_ms` integer,
	`load_ms` integer,
	`run_ms` integer
);
--> statement-breakpoint
CREATE UNIQUE INDEX `usage_job_unique` ON `usage` (`job`);--> statement-breakpoint
CREATE INDEX `usage_by_time` ON `usage` (`admitted_at`);--> statement-breakpoint
CREATE TABLE `usage_total` (
	`period` text NOT NULL,
	`start` integer NOT NULL,
	`by` text NOT NULL,
	`value` text NOT NULL,
	`currency` text NOT NULL,
	`requests` integer NOT NULL,
	`failed` integer NOT NULL,
	`cancelled` integer NOT NULL,
	`cost` integer NOT NULL,
	`run_ms` integer NOT NULL,
	`units` text NOT NULL,
	PRIMARY KEY(`period`, `by`, `start`, `value`, `currency`)
);
--> statement-breakpoint
ALTER TABLE `api_key` ADD `team` text;--> statement-breakpoint
ALTER TABLE `api_key` ADD `owner` text;--> statement-breakpoint
ALTER TABLE `api_key` ADD `models` text;--> statement-breakpoint
ALTER TABLE `api_key` ADD `previous_hash` text;--> statement-breakpoint
ALTER TABLE `api_key` ADD `previous_until` integer;--> statement-breakpoint
ALTER TABLE `api_key` ADD `rotated_at` integer;
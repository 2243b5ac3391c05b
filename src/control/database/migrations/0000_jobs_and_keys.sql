CREATE TABLE `job_log` (
	`job` text NOT NULL,
	`line` integer NOT NULL,
	`at` integer NOT NULL,
	`level` text NOT NULL,
	`message` text NOT NULL,
	PRIMARY KEY(`job`, `line`),
	FOREIGN KEY (`job`) REFERENCES `job`(`id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE TABLE `job` (
	`id` text PRIMARY KEY NOT NULL,
	`model` text NOT NULL,
	`endpoint` text NOT NULL,
	`key` text NOT NULL,
	`input` text NOT NULL,
	`priority` text NOT NULL,
	`status` text NOT NULL,
	`attempts` integer DEFAULT 0 NOT NULL,
	`retries` integer NOT NULL,
	`kills` integer DEFAULT 0 NOT NULL,
	`crashes` integer DEFAULT 0 NOT NULL,
	`interruptions` integer DEFAULT 0 NOT NULL,
	`cancel_requested` integer DEFAULT false NOT NULL,
	`files` text NOT NULL,
	`created_at` integer NOT NULL,
	`start_by` integer,
	`runner` text,
	`started_at` integer,
	`finished_at` integer,
	`output` text,
	`units` text,
	`timing` text,
	`failure` text,
	`device` text
);
--> statement-breakpoint
CREATE INDEX `job_open` ON `job` (`status`,`created_at`) WHERE status in ('queued', 'running');--> statement-breakpoint
CREATE INDEX `job_finished` ON `job` (`finished_at`) WHERE finished_at is not null;--> statement-breakpoint
CREATE INDEX `job_by_key` ON `job` (`key`,"created_at" desc);--> statement-breakpoint
CREATE TABLE `api_key` (
	`id` text PRIMARY KEY NOT NULL,
	`name` text NOT NULL,
	`scope` text NOT NULL,
	`hash` text NOT NULL,
	`created_at` integer NOT NULL,
	`expires_at` integer,
	`revoked_at` integer,
	`last_used_at` integer
);

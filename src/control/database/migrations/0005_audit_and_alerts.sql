CREATE TABLE `alert` (
	`id` text PRIMARY KEY NOT NULL,
	`url` text NOT NULL,
	`host` text NOT NULL,
	`origin` text NOT NULL,
	`status` text NOT NULL,
	`attempts` integer DEFAULT 0 NOT NULL,
	`created_at` integer NOT NULL,
	`ended_at` integer,
	`due_at` integer,
	`settled_at` integer,
	`http_status` integer,
	`reason` text,
	`rule` text NOT NULL,
	`subject` text NOT NULL,
	`window_start` integer NOT NULL,
	`body` text NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX `alert_once` ON `alert` (`rule`,`subject`,`window_start`);--> statement-breakpoint
CREATE INDEX `alert_due` ON `alert` (`due_at`,`host`) WHERE status = 'pending';--> statement-breakpoint
CREATE TABLE `audit_entry` (
	`id` text PRIMARY KEY NOT NULL,
	`at` integer NOT NULL,
	`actor` text NOT NULL,
	`origin` text NOT NULL,
	`action` text NOT NULL,
	`details` text NOT NULL,
	`outcome` text NOT NULL,
	`code` integer NOT NULL,
	`request_id` text
);
--> statement-breakpoint
CREATE INDEX `audit_by_actor` ON `audit_entry` (`actor`,`id`);--> statement-breakpoint
CREATE TRIGGER `audit_entry_is_never_changed` BEFORE UPDATE ON `audit_entry` BEGIN SELECT RAISE(ABORT, 'the audit log is never changed'); END;
--> statement-breakpoint
CREATE TRIGGER `audit_entry_is_never_removed` BEFORE DELETE ON `audit_entry` BEGIN SELECT RAISE(ABORT, 'the audit log is never changed'); END;

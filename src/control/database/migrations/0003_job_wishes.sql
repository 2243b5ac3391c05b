ALTER TABLE `job` ADD `errors` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `job` ADD `timeouts` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `job` ADD `files_acl` text;--> statement-breakpoint
ALTER TABLE `job` ADD `files_keep_for` integer;--> statement-breakpoint
ALTER TABLE `job` ADD `files_until` integer;--> statement-breakpoint
ALTER TABLE `job` ADD `keeps_payload` integer DEFAULT true NOT NULL;--> statement-breakpoint
ALTER TABLE `job` ADD `payload_until` integer;--> statement-breakpoint
ALTER TABLE `job` ADD `tags` text;--> statement-breakpoint
ALTER TABLE `job` ADD `wishes` text;--> statement-breakpoint
CREATE INDEX `job_payload_until` ON `job` (`payload_until`) WHERE payload_until is not null;--> statement-breakpoint
CREATE INDEX `job_files_until` ON `job` (`files_until`) WHERE files_until is not null;--> statement-breakpoint
CREATE INDEX `job_files_guarded` ON `job` (`files`) WHERE files_acl is not null or files_keep_for is not null;
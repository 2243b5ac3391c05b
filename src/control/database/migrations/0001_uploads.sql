CREATE TABLE `upload` (
	`token` text PRIMARY KEY NOT NULL,
	`secret` text NOT NULL,
	`key` text NOT NULL,
	`name` text NOT NULL,
	`original_name` text NOT NULL,
	`content_type` text NOT NULL,
	`acl` text NOT NULL,
	`created_at` integer NOT NULL,
	`keep_for` integer,
	`expires_at` integer,
	`completed_at` integer,
	`size` integer,
	`digest` text
);
--> statement-breakpoint
CREATE UNIQUE INDEX `upload_secret_unique` ON `upload` (`secret`);--> statement-breakpoint
CREATE INDEX `upload_expiring` ON `upload` (`expires_at`) WHERE expires_at is not null;--> statement-breakpoint
CREATE INDEX `upload_open` ON `upload` (`created_at`) WHERE completed_at is null;
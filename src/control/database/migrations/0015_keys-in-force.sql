ALTER TABLE `reservation` ADD `price` text;--> statement-breakpoint
CREATE INDEX `api_key_in_force` ON `api_key` (`expires_at`) WHERE revoked_at is null;--> statement-breakpoint
ALTER TABLE `account` DROP COLUMN `changed_at`;--> statement-breakpoint
ALTER TABLE `price_override` DROP COLUMN `changed_at`;
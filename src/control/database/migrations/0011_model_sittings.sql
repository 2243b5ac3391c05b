ALTER TABLE `model_popularity` ADD `lately` real DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `model_popularity` ADD `long` real DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `model_popularity` ADD `followed` real DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `model_popularity` ADD `requests` real DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `model_popularity` ADD `since` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
UPDATE `model_popularity` SET `lately` = `hour`, `long` = `day`, `followed` = `day` / 2, `requests` = `day`, `since` = `at` - 86400000;--> statement-breakpoint
ALTER TABLE `model_popularity` DROP COLUMN `sitting`;--> statement-breakpoint
ALTER TABLE `model_popularity` DROP COLUMN `hour`;--> statement-breakpoint
ALTER TABLE `model_popularity` DROP COLUMN `day`;
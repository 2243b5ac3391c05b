ALTER TABLE `job` ADD `price` text;--> statement-breakpoint
ALTER TABLE `reservation` DROP COLUMN `price`;
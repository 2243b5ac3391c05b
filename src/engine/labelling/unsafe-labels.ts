// Which classes of a classifier mean that a picture is not safe for work, by their names.

/** As the usual checkers call them: nsfw; porn, hentai and sexy; explicit, unsafe. */
const UNSAFE = /^(nsfw|porn\w*|hentai|sexy|explicit|unsafe)$/i;

export const isUnsafe = (label: string): boolean => UNSAFE.test(label.trim());

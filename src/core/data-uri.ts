// URLs that carry their data within them.

/** Schemes are written in letters of either case, and what stands before them is read over, as browsers do. */
export const isDataUri = (url: string): boolean => /^\s*data:/i.test(url);

// The keys under which react-query holds what more than one feature has to do with.

/** The list of cached queries and the space they use: reading one again means reading both. */
export const CACHED_KEY = ["cached"];

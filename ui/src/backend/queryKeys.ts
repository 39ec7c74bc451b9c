// The keys under which react-query holds what more than one feature has to do with.

/** The list of cached queries and the space they use: reading one again means reading both. */
export const CACHED_KEY = ["cached"];

/** The plans of the form. */
export const PLAN_KEY = ["plan"];

/** The sources, and the one in use. */
export const SOURCE_KEY = ["source"];

/** The settings of this computer. */
export const SETTINGS_KEY = ["settings"];

// The lines of the table of commands.

export interface Line {
  /** What the keys of this line do, in the words of the help. */
  does: string;
  /** The keys of each command. The first is named to the user; the others are what some keyboards send instead. */
  keys: Record<string, readonly string[]>;
  /** What menus and the palette call the commands. A command without a name is for its keys only. */
  names?: Record<string, string>;
  /** They work while a dialog is open, too. */
  inDialogs?: true;
}

/** A line of the help that is about no key of ours. */
export interface Remark {
  does: string;
  remark: string;
}

// SlickGrid expects the library that drags column headings in a global, which must be set before a grid is made.

import Sortable from "sortablejs";

Object.assign(globalThis, { Sortable });

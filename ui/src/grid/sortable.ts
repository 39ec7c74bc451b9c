// SlickGrid takes the library that drags column heads from a global. It must be there before a grid is made.

import Sortable from "sortablejs";

Object.assign(globalThis, { Sortable });

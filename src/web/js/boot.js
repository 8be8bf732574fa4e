// Runs before the first paint, so that the page never flashes in the wrong theme.

import { applyTheme, startTheme } from "./theme.js";

applyTheme(startTheme());

import js from "@eslint/js";
import reactHooks from "eslint-plugin-react-hooks";
import ts from "typescript-eslint";

// The features of the window, the lowest first. Each may import backend/, controls/ and the features before it;
// app/ may import all of them.
const FEATURES = ["guide", "source", "query", "plan", "run", "answer", "rows", "library", "settings"];

const noTauri = {
  group: ["@tauri-apps/*"],
  message: "The desktop is reached through src/backend/index.ts only.",
};

/** Forbids imports from folders of src/. */
const noneOf = (folders, message) => ({
  regex: `^(?:\\.\\./)+(?:${folders.join("|")})(?:/|$)`,
  message,
});

const noWindow = noneOf(["app", "controls", "test", ...FEATURES], "backend/ imports nothing of the window.");

const noHigher = (feature) =>
  noneOf(
    ["app", ...FEATURES.slice(FEATURES.indexOf(feature) + 1)],
    `${feature}/ may import backend/, controls/ and the features below it: see FEATURES in eslint.config.js.`,
  );

/** Restricts what the files may import. It replaces an earlier restriction of the same files. */
const imports = (files, ...patterns) => ({
  files,
  rules: { "no-restricted-imports": ["error", { patterns }] },
});

export default ts.config(
  { ignores: ["dist", "node_modules", "src/backend/types.ts"] },
  js.configs.recommended,
  ...ts.configs.recommendedTypeChecked,
  { languageOptions: { parserOptions: { projectService: true } } },
  reactHooks.configs.flat["recommended-latest"],
  {
    rules: {
      "max-lines": ["error", { max: 300, skipBlankLines: true, skipComments: true }],
      // A promise of an event handler is dealt with by the handler; attributes may take one.
      "@typescript-eslint/no-misused-promises": ["error", { checksVoidReturn: { attributes: false } }],
    },
  },
  imports(["src/**/*.{ts,tsx}"], noTauri),
  imports(["src/backend/**/*.ts"], noTauri, noWindow),
  imports(["src/backend/index.ts"], noWindow),
  imports(
    ["src/controls/**/*.{ts,tsx}"],
    noTauri,
    noneOf(["app", "test", ...FEATURES], "controls/ may import backend/ only."),
  ),
  ...FEATURES.map((feature) => imports([`src/${feature}/**/*.{ts,tsx}`], noTauri, noHigher(feature))),
  imports(["src/rows/grid/**/*.{ts,tsx}"], noTauri, noHigher("rows"), {
    regex: "^\\.\\./(?!\\.\\.)",
    message: "grid/ imports nothing of the rows around it.",
  }),
  // The preview sends failures as plain data, as the desktop side does.
  {
    files: ["src/backend/preview/*.ts"],
    rules: { "@typescript-eslint/prefer-promise-reject-errors": "off" },
  },
  // Tests look at mocked methods without calling them.
  { files: ["src/**/*.test.ts*"], rules: { "@typescript-eslint/unbound-method": "off" } },
  { files: ["eslint.config.js"], ...ts.configs.disableTypeChecked },
);

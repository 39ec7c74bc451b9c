import js from "@eslint/js";
import reactHooks from "eslint-plugin-react-hooks";
import ts from "typescript-eslint";

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
      "no-restricted-imports": [
        "error",
        {
          patterns: [
            {
              group: ["@tauri-apps/*"],
              message: "The desktop is reached through src/backend/index.ts only.",
            },
          ],
        },
      ],
    },
  },
  { files: ["src/backend/index.ts"], rules: { "no-restricted-imports": "off" } },
  // The preview sends failures as plain data, as the desktop side does.
  {
    files: ["src/backend/preview/*.ts"],
    rules: { "@typescript-eslint/prefer-promise-reject-errors": "off" },
  },
  // Tests look at mocked methods without calling them.
  { files: ["src/**/*.test.ts*"], rules: { "@typescript-eslint/unbound-method": "off" } },
  { files: ["eslint.config.js"], ...ts.configs.disableTypeChecked },
);

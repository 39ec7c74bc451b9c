import { expect, it } from "vitest";

import { usableLanguage } from "./language";

it("takes a language that is none for English", () => {
  expect(usableLanguage("C")).toBe("en");
  expect(usableLanguage("")).toBe("en");
  expect(usableLanguage("de_DE.UTF-8")).toBe("en");
  expect(usableLanguage("de-CH")).toBe("de-CH");
});

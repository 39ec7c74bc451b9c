// WebKit hands on the language of the system as it is, also one that names none, such as that of LANG=C. Modules that format
// numbers as soon as they are loaded would then fail, so this one has to be imported before them.

/** The language of the page if that of the system cannot be used. */
const USUAL = "en";

/** A language that `Intl` knows. */
export function usableLanguage(language: string): string {
  try {
    return Intl.getCanonicalLocales(language)[0] ?? USUAL;
  } catch {
    return USUAL;
  }
}

const language = usableLanguage(navigator.language);
if (language !== navigator.language) {
  Object.defineProperty(navigator, "language", { value: language, configurable: true });
  Object.defineProperty(navigator, "languages", { value: [language], configurable: true });
}

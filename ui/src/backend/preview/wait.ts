/** As long as the desktop takes. */
export const wait = (ms: number) => new Promise((done) => setTimeout(done, ms));

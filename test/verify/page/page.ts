/** Where the page is. */
export const page = new URL('../../../docs/verification.md', import.meta.url);

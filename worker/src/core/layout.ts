/**
 * The number of the stored form: it grows by one with every change of the tables or of what their rows mean, so that an
 * older version is never put in the place of a newer one. The program reads it from this line, also of other commits
 * (infra/layout.ts): keep its shape.
 */
export const LAYOUT = 6

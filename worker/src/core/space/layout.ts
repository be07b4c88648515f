/**
 * The number of the stored form: the tables of a space and the meaning of their rows. Each change of either takes the
 * next number and a step in `objects/store/tables.ts`, even where the tables stay as they are. A Worker refuses a space with
 * a higher number than its own, and `npm start` and `npm run rollback` refuse to go back past it. A test holds the
 * number to the stored bytes. The program reads it from this line, of other commits too (infra/layout.ts): keep its shape.
 */
export const LAYOUT = 7

/**
 * The number of the storage layout: the tables of a space and the meaning of their rows. Each change of either takes
 * the next number and a step in `objects/store/tables.ts`, even if the tables stay as they are. A Worker refuses a
 * space with a higher number than its own, and `npm start` and `npm run rollback` refuse to go back past it. A test
 * compares the number with the stored bytes. The Pulumi program reads this line, in other commits too: keep its shape.
 */
export const LAYOUT = 9

/** SQL for the rows in a parameter that holds them as JSON, so that any number of rows takes one statement. */
export function valuesOfRows(columns: number): string {
  const names = Array.from({ length: columns }, (_, index) => `value ->> ${index}`)
  return `SELECT ${names.join(', ')} FROM json_each(?)`
}

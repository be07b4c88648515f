/** Rows from a parameter that holds them as JSON: one statement however many they are. */
export function valuesOfRows(columns: number): string {
  const names = Array.from({ length: columns }, (_, index) => `value ->> ${index}`)
  return `SELECT ${names.join(', ')} FROM json_each(?)`
}

// What the page calls database.js: here it answers with the statement, and ends its thread when told so.
export function rows(sql: string): string[] {
  if (sql === 'end') process.exit(3)
  return [sql]
}

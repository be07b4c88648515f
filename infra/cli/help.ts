/** Prints the usage and ends the process if the arguments ask for it. */
export function answerHelp(args: readonly string[], usage: string): void {
  if (!args.includes('--help') && !args.includes('-h')) return
  console.log(`Usage: ${usage}`)
  process.exit(0)
}

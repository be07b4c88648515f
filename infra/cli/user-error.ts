/** What the person who typed the command can put right: shown as one line, without a stack. */
export class StartError extends Error {
  override readonly name = 'StartError'
}

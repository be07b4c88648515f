/** An error that the person who typed the command can fix. Tools print its message as one line, without a stack. */
export class UserError extends Error {
  override readonly name = 'UserError'
}

/** An error that the person who typed the command can fix. Tools print its message as one line, without a stack. */
export class UserError extends Error {
  override readonly name = 'UserError'
}

/** Refusals of the file system that a person can lift. */
const FILE_CODES = ['EACCES', 'EEXIST', 'EISDIR', 'ENOSPC', 'ENOTDIR', 'EPERM', 'EROFS']

/** The line that a tool prints for an error that a person can act on. Other errors are printed with their stack. */
export function lineOf(error: unknown): unknown {
  if (error instanceof UserError) return `Error: ${error.message}`
  if (!(error instanceof Error && 'code' in error && 'path' in error)) return error
  if (!FILE_CODES.includes(String(error.code))) return error
  return `Error: ${error.message}. Make this path writable for you, or remove what is in its place`
}

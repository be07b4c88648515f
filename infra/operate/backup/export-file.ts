import { createHash } from 'node:crypto'
import { createReadStream, existsSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { createInterface } from 'node:readline'
import { UserError } from '../../cli/user-error.ts'

/** The extension of a space's file. */
export const EXTENSION = '.ndjson'

/** Bytes read from the end of a file, more than the last line of an export has. */
const END_BYTES = 1024

/** File systems allow names of 255 bytes. This leaves room for a digest, the extension and `.part`. */
const MAX_NAME_CHARS = 180

/**
 * The name of a space's file. No other space has the same name, even on file systems that do not tell upper from lower
 * case.
 */
export function fileNameOf(space: string): string {
  const name = encodeURIComponent(space).replace(/(?<!%.?)[A-Z]/g, (letter) => `%${hexOf(letter)}`)
  if (name.length <= MAX_NAME_CHARS) return name + EXTENSION
  const digest = createHash('sha256').update(space).digest('hex').slice(0, 32)
  return `${name.slice(0, MAX_NAME_CHARS)}-${digest}${EXTENSION}`
}

function hexOf(letter: string): string {
  return letter.charCodeAt(0).toString(16)
}

/** The number of entries according to the file's last line; undefined if the file is missing or incomplete. */
export async function entriesIn(file: string): Promise<number | undefined> {
  if (!existsSync(file)) return undefined
  const written = await open(file)
  try {
    const { size } = await written.stat()
    const { buffer, bytesRead } = await written.read({ position: Math.max(0, size - END_BYTES) })
    const lines = buffer.toString('utf8', 0, bytesRead).split('\n')
    const [last = '', rest] = lines.slice(-2)
    return rest === '' && last.startsWith('{"type":"end"') ? JSON.parse(last).entries : undefined
  } finally {
    await written.close()
  }
}

/** The name of the space that a file was exported from. */
export async function spaceOf(file: string): Promise<string> {
  for await (const line of linesOf(file)) {
    const [, space] = /^\{"type":"header".*?"space":("(?:[^"\\]|\\.)*")/.exec(line) ?? []
    if (space !== undefined) return JSON.parse(space)
    break
  }
  throw new UserError(`${file} is not a backup: its first line is not the header of an export`)
}

export async function* linesOf(file: string): AsyncGenerator<string> {
  const input = createReadStream(file)
  const failed = new Promise<never>((_, reject) => input.once('error', reject))
  const lines = createInterface(input)[Symbol.asyncIterator]()
  try {
    for (;;) {
      const { value, done } = await Promise.race([lines.next(), failed]).catch((cause: Error) => {
        throw new UserError(`${file} cannot be read: ${cause.message}`)
      })
      if (done) return
      yield value
    }
  } finally {
    input.destroy()
  }
}

import { createServer } from 'node:net'
import { UserError } from '../cli/user-error.ts'

/** Reads the number of a port, which an option sets. Throws a UserError for anything but 1 to 65535. */
export function readPort(text: string, option = '--port'): number {
  const port = Number(text)
  if (/^\d+$/.test(text) && port >= 1 && port <= 65535) return port
  throw new UserError(`${option} is "${text}", expected a number from 1 to 65535`)
}

/** Throws a UserError unless this process can listen on the port at 127.0.0.1. Port 0 means any free port. */
export async function checkPort(port: number, option = '--port'): Promise<void> {
  const server = createServer()
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', resolve)
  }).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === 'EADDRINUSE')
      throw new UserError(`port ${port} is busy. Choose another: ${option} ${port + 1}`)
    throw new UserError(`port ${port} cannot be opened (${cause.code}). Choose another with ${option}`)
  })
  server.close()
}

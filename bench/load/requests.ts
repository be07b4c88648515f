import { Client } from 'undici'

export interface Poster {
  /** Returns the text of the reply, and how long it took, ms. */
  post(body: string): Promise<{ readonly text: string; readonly ms: number }>
  close(): Promise<void>
}

/** Posts on a connection of its own. */
export function poster(url: string, path: string, headers: Readonly<Record<string, string>>): Poster {
  const client = new Client(url)
  return {
    async post(body) {
      const began = performance.now()
      const reply = await client.request({ path, method: 'POST', headers, body })
      const text = await reply.body.text()
      const ms = performance.now() - began
      if (reply.statusCode > 201) throw new Error(`${reply.statusCode}: ${text.slice(0, 300)}`)
      return { text, ms }
    },
    close: () => client.close(),
  }
}

import { Client } from 'undici'

/** One connection's part of the load: a body to send, and what its reply teaches the next one. */
export interface Sender {
  readonly headers: Readonly<Record<string, string>>
  body(): string
  learn(reply: string): void
}

export interface Load {
  readonly url: string
  readonly path: string
  readonly senders: readonly Sender[]
  readonly seconds: number
}

/** Keeps one request in flight on each connection for a while; requests answered a second. */
export async function measure({ url, path, senders, seconds }: Load): Promise<number> {
  const began = performance.now()
  const end = began + seconds * 1000
  const counts = await Promise.all(senders.map((sender) => keepSending(sender, { url, path, end })))
  const answered = counts.reduce((sum, count) => sum + count, 0)
  return answered / ((performance.now() - began) / 1000)
}

async function keepSending(sender: Sender, to: { url: string; path: string; end: number }): Promise<number> {
  const client = new Client(to.url)
  let count = 0
  while (performance.now() < to.end) {
    const reply = await client.request({
      path: to.path,
      method: 'POST',
      headers: sender.headers,
      body: sender.body(),
    })
    const text = await reply.body.text()
    if (reply.statusCode !== 200) throw new Error(`${reply.statusCode}: ${text.slice(0, 300)}`)
    sender.learn(text)
    count += 1
  }
  await client.close()
  return count
}

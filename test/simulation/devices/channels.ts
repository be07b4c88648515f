import type { Channel } from '../../../client/src/values/platform.ts'
import type { Tab } from './tab.ts'

interface End {
  readonly tab: Tab
  readonly name: string
  readonly channel: Channel
}

/** The channels between the tabs of a browser, as the BroadcastChannel API has them. */
export class BrowserChannels {
  #ends: End[] = []

  open(tab: Tab, name: string): Channel {
    const channel: Channel = {
      onmessage: null,
      postMessage: (message) => this.#post(end, message),
      close: () => {
        this.#ends = this.#ends.filter((other) => other !== end)
      },
    }
    const end = { tab, name, channel }
    this.#ends.push(end)
    return channel
  }

  drop(tab: Tab): void {
    this.#ends = this.#ends.filter((end) => end.tab !== tab)
  }

  #post(from: End, message: unknown): void {
    for (const end of this.#ends) {
      if (end === from || end.name !== from.name) continue
      const data: unknown = structuredClone(message)
      end.tab.queue('channel', () => {
        if (this.#ends.includes(end)) end.channel.onmessage?.({ data })
      })
    }
  }
}

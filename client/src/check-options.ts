import type { ChronicleOptions } from './device/options.ts'

/** Throws a `TypeError` that says what is wrong with the options of an app. */
export function checkOptions({ url, token, collections }: ChronicleOptions): void {
  if (!/^https?:\/\/[^/]+\/?$/.test(url))
    throw new TypeError(`url: ${url} must be an address without a path, such as https://sync.example.com`)
  if (typeof token !== 'function')
    throw new TypeError('token: must be a function that returns the token of the user')
  if (collections !== undefined && !Array.isArray(collections))
    throw new TypeError('collections: must be a list, such as ["notes"]')
  collections?.forEach(checkName)
  if (collections?.length === 0)
    throw new TypeError('collections: name at least one, or leave them out for all')
}

/** Throws unless a collection can have this name. */
export function checkName(name: string): void {
  if (name === '' || /[/,]/.test(name))
    throw new TypeError(`"${name}" cannot be a collection: its name must have no slash and no comma`)
}

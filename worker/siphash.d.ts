/** SipHash-2-4 with 128 bits of output; the package's own source beside it is not written for strict types. */
declare const siphash: {
  /** The digest under a key of four words. */
  hash(key: Uint32Array, bytes: Uint8Array): Uint32Array<ArrayBuffer>
}
export default siphash

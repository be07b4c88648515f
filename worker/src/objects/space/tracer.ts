/** The parts of a request that its trace names. The platform adds a span for each call, statement and read of KV. */
export type SpanName = 'admission' | 'seal' | 'decide' | 'commit' | 'pull'

/** Adds spans to the trace of the request or message that is being served, if the platform keeps one. */
export interface Tracer {
  /** Runs work as a span, which ends with the work or, if that is a promise, when it settles. */
  span<T>(name: SpanName, work: () => T): T
  /** Runs a push of a socket as a span with the id of its log line. Messages have no active span, so `span` needs one. */
  push<T>(requestId: string, work: () => Promise<T>): Promise<T>
}

/**
 * Adds to the traces of the platform; to none where there is no platform. Work that is in no trace runs without a span,
 * because a span takes time even then, and its promise settles later.
 */
export function tracerOf(tracing: Tracing | undefined): Tracer {
  return {
    span: (name, work) => (tracing?.getActiveSpan()?.isTraced ? tracing.enterSpan(name, work) : work()),

    push(requestId, work) {
      if (tracing === undefined) return work()
      return tracing.startActiveSpan('push', (span) =>
        span.isTraced ? work().finally(() => span.setAttribute('request_id', requestId).end()) : work(),
      )
    },
  }
}

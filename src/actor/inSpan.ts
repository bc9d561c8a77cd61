import { Effect, type Fiber, type Tracer } from "effect"

export interface SpanDetails {
  readonly attributes?: Readonly<Record<string, unknown>>
  readonly kind?: Tracer.SpanKind
}

/**
 * Runs work in a span of its own where somebody traces, and the trace it belongs to is one that is kept. Else the work
 * runs as it is: a span that nobody will see costs nothing.
 */
export const inSpan = <A, E, R>(
  work: Effect.Effect<A, E, R>,
  name: string,
  details?: SpanDetails
): Effect.Effect<A, E, R> =>
  Effect.withFiber(({ cache }) => {
    if (cache.tracer === undefined || cache.span?.sampled === false) return work
    return Effect.withSpan(work, name, { captureStackTrace: false, ...details }) as Effect.Effect<A, E, R>
  })

/**
 * Runs work for several senders: in a span under the first sender's whose trace is kept, with links to the others. Work
 * for nobody, or for senders without a span, begins a trace.
 */
export const inSpanFor = <A, E, R>(
  senders: ReadonlyArray<Tracer.AnySpan | undefined>,
  work: Effect.Effect<A, E, R>,
  name: string,
  details?: SpanDetails
): Effect.Effect<A, E, R> =>
  Effect.withFiber(({ cache }) => {
    if (cache.tracer === undefined) return work
    const all = [...new Set(senders)].filter((sender) => sender !== undefined)
    const [first, ...others] = all.filter(({ sampled }) => sampled)
    const [unkept] = all
    // What is done for a trace that is not kept must not begin another one.
    if (first === undefined && unkept !== undefined) {
      return Effect.withParentSpan(work, unkept, { captureStackTrace: false }) as Effect.Effect<A, E, R>
    }
    return Effect.withSpan(work, name, {
      captureStackTrace: false,
      ...details,
      links: others.map((span) => ({ span, attributes: {} })),
      ...(first === undefined ? { root: true } : { parent: first })
    }) as Effect.Effect<A, E, R>
  })

/** The span in which a fiber works; absent where nobody traces. */
export const spanOf = ({ cache }: Fiber.Fiber<unknown, unknown>): Tracer.AnySpan | undefined =>
  cache.tracer === undefined ? undefined : cache.span

/** Says more of the work that is being done, on its span if it has one. */
export const annotateSpan = (attributes: Readonly<Record<string, unknown>>): Effect.Effect<void> =>
  Effect.withFiber((fiber) => {
    const span = spanOf(fiber)
    if (span?._tag === "Span" && span.sampled) {
      for (const [key, value] of Object.entries(attributes)) span.attribute(key, value)
    }
    return Effect.void
  })

/** What belongs to each symbol, in its order; what is of every symbol is under `undefined`. */
export const bySymbol = <A extends { readonly symbol: string | undefined }>(
  all: ReadonlyArray<A>
): ReadonlyMap<string | undefined, ReadonlyArray<A>> => {
  const groups = new Map<string | undefined, Array<A>>()
  for (const each of all) {
    const group = groups.get(each.symbol)
    if (group === undefined) groups.set(each.symbol, [each])
    else group.push(each)
  }
  return groups
}

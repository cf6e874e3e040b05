/** The other end of chunks/linker.ts: a visitor comes from another site of the same owner. */
import { carry, person } from './identity';
import { attempt } from './signals';

const PARAMETER = '_hw';

/** Takes what that site sent along out of the address, before anyone records it. */
export function arrive(): void {
  const url = new URL(location.href);
  const { searchParams } = url;
  const signed = searchParams.get(PARAMETER);
  if (!signed) return; // writing the parameters anew may change how they are spelled
  if (!person().userId) carry(signed); // whoever is known here stays who they are
  searchParams.delete(PARAMETER);
  attempt(() => history.replaceState(history.state, '', url));
}

/** Types that cannot be: an operator that refuses its inputs, or a declaration that the graph disproves. */
export class Contradiction extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'Contradiction';
  }
}

/** An open socket, or a server of them. */
export interface Listener extends AsyncDisposable {
  readonly address: string;
  readonly port: number;
}

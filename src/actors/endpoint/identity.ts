/** The actor of an endpoint: one per port of a Service and address behind it. */
import { type ActorId, actorId } from "../../events/actor-id.ts"
import { parseHostPort } from "../../events/ip-address.ts"

/** `10.0.0.1:80`, `[fd00::1]:80` */
export const socketAddress = (address: string, port: number): string =>
  address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`

export interface EndpointKey {
  readonly service: string
  /** Empty: the only port of a Service need not have a name. */
  readonly portName: string
  readonly address: string
  readonly port: number
}

/** `web.http.10.0.0.1:80`; `_` stands for a port without a name. Names of Services and of ports have no dots. */
export const endpointName = ({ service, portName, address, port }: EndpointKey): string =>
  `${service}.${portName === "" ? "_" : portName}.${socketAddress(address, port)}`

export const endpointActor = (namespace: string, key: EndpointKey): ActorId =>
  actorId("endpoint", namespace, endpointName(key))

export const serviceOfEndpoint = ({ name }: ActorId): string => {
  const dot = name.indexOf(".")
  return dot < 0 ? name : name.slice(0, dot)
}

/** Where an endpoint's actor stands, by its name; undefined: it is no such name. */
export const placeOfEndpoint = ({
  name
}: ActorId):
  | { readonly portName: string; readonly place: { readonly address: string; readonly port: number } }
  | undefined => {
  const first = name.indexOf(".")
  const second = name.indexOf(".", first + 1)
  const place = first < 0 || second < 0 ? undefined : parseHostPort(name.slice(second + 1))
  if (place?.port === undefined) return undefined
  const portName = name.slice(first + 1, second)
  return { portName: portName === "_" ? "" : portName, place: { address: place.address, port: place.port } }
}

/** The actor of an endpoint: one per port of a Service and address behind it. */
import { type ActorId, actorId } from "../../events/actor-id.ts"

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

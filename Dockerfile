# The one image of labs in containers: control plane, pod proxies, name server, and the pods whose images a lab stands in
# for. `docker build -t netpol-lab .`

ARG BASE_IMAGE=node:24-bookworm-slim

FROM ${BASE_IMAGE} AS build
WORKDIR /netpol-lab
COPY package.json package-lock.json ./
RUN --mount=type=cache,target=/root/.npm npm ci --ignore-scripts --no-audit --no-fund
COPY tsconfig.json ./
COPY src src
COPY labs labs
RUN sh src/setup/build.sh && npm prune --omit=dev --ignore-scripts --no-audit --no-fund

FROM ${BASE_IMAGE}
RUN apt-get update \
  && apt-get install -y --no-install-recommends \
  bind9-dnsutils conntrack curl iproute2 iptables netcat-openbsd nftables \
  && apt-get clean && rm -rf /var/lib/apt/lists/*
COPY --from=build /netpol-lab/package.json /opt/netpol-lab/
COPY --from=build /netpol-lab/node_modules /opt/netpol-lab/node_modules
COPY --from=build /netpol-lab/labs /opt/netpol-lab/labs
COPY --from=build /netpol-lab/dist /opt/netpol-lab/dist
COPY --chmod=755 src/container/supervise.sh /usr/local/bin/supervise
COPY --chmod=755 src/container/workload.sh /usr/local/bin/workload
RUN ln -s /opt/netpol-lab/dist/cli/netpol-lab.js /usr/local/bin/netpol-lab \
  && install -d -o node -g node /run/netpol-lab
USER node
WORKDIR /home/node
ENTRYPOINT ["netpol-lab"]

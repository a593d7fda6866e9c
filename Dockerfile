# An image that holds the gate and nothing else. `make image` builds the static program and lays out the context.
FROM scratch
COPY dockgate /dockgate
# Nobody. The daemon's socket is reached by its group: `--group-add`, or `group_add` in a compose file.
USER 65534:65534
ENTRYPOINT ["/dockgate"]
CMD ["serve", "--config", "/etc/dockgate/dockgate.toml"]

"""One island per technology; each knows one, and none knows another."""

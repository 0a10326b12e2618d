package entratest

import (
	"fmt"
	"slices"
)

// service is what a host name stands for.
type service int

const (
	serviceNone service = iota
	serviceLogin
	serviceGraph
	serviceDiscovery // instance discovery alone
)

// service tells which of the services a host in lower case names.
func (s *Server) service(host string) service {
	entra := host == s.cloud.login || slices.Contains(s.cloud.aliases, host)
	switch {
	case host == s.cloud.graph:
		return serviceGraph
	case host == s.home(), entra && s.authority.kind == entraID:
		return serviceLogin
	case s.authority.kind == externalID && host == s.config.TenantID+".ciamlogin.com":
		return serviceLogin
	case entra: // Clients of other authorities still ask it whether it knows them.
		return serviceDiscovery
	}
	return serviceNone
}

// unknownHost explains why nothing is sent to a host.
func (s *Server) unknownHost(host string) error {
	for _, c := range []Cloud{Worldwide, USGovernment, China} {
		if facts, _ := c.facts(); host == facts.login || host == facts.graph {
			return fmt.Errorf("entratest: host %q belongs to the cloud %v, and Config.Cloud is %v", host, c, s.config.Cloud)
		}
	}
	return fmt.Errorf("entratest: host %q is not one of Microsoft's that this server stands in for; nothing was sent", host)
}

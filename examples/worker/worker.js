import "sirocco/worker";
